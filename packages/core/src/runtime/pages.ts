import type { Buf } from "./backend.js";
import type { TensorType } from "./tensor-type.js";

/** Tensors of one page: 64, or 16 KB. */
const pageTensors = 64;
const pageBytes = 16_384;
/** What a tensor costs besides its elements, in bytes: the object, the handle, the storage's header. */
const tensorOverhead = 256;

/** Hands new buffers to the reclaimer in pages: tensors hold their page's token, so it dies with the last of them. */
export class OpenPage {
  /** What the next tensor holds. */
  token: object = {};
  private bufs: Buf[] = [];
  private bytes = 0;
  /** Bytes since the reclaimer last had its turn. */
  private allocated = 0;

  /**
   * Enters a buffer; its tensor holds the token that was there before the call. One that takes another's place is no new
   * memory: an optimizer's step, which renews every weight, leaves nothing to collect.
   */
  add(type: TensorType, buf: Buf, isNew = true): void {
    this.bufs.push(buf);
    this.bytes += type.bytes;
    if (isNew) this.allocated += type.bytes + tensorOverhead;
    if (this.bufs.length === pageTensors || this.bytes >= pageBytes) this.close(type);
  }

  private close(type: TensorType): void {
    const { reclaimer } = type.device.backend;
    reclaimer.page(this.token, this.bufs);
    this.token = {};
    this.bufs.length = 0;
    this.bytes = 0;
    if (this.allocated < reclaimer.due) return;
    this.allocated = 0;
    reclaimer.pressure();
  }
}
