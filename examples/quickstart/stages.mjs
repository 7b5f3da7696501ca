/** Times the stages of a program, and says how far it is. */
export class Stages {
  #times = [];

  async run(name, f) {
    console.log(`\n${name}`);
    const start = performance.now();
    const result = await f();
    this.#times.push({ name, seconds: (performance.now() - start) / 1000 });
    return result;
  }

  /** The stages that are over, in order. */
  get times() {
    return [...this.#times];
  }

  print() {
    console.log("");
    for (const { name, seconds } of this.#times) console.log(`${name.padEnd(32)} ${seconds.toFixed(2).padStart(7)} s`);
  }
}
