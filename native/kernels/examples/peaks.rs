//! What this machine reaches: the yardstick of profiles.
fn main() {
    let peaks = millrace_kernels::peaks::peaks();
    println!("{:.1} GFLOP/s, {:.1} GB/s", peaks.flops / 1e9, peaks.bytes / 1e9);
}
