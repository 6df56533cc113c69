// Brings the block tables that stay in the step buffer up to date: each of the step's runs goes to its place among them.
//! include: fold
//! const STEP_RUNS: u32  word of the step buffer with the number of runs; the next says where they are
@group(0) @binding(0) var<storage, read_write> step: array<u32>;

const RUN_WORDS: u32 = 3u; // where it goes, its length, where its ids are

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let index = id.z * FOLD + id.y;
    if index >= step[STEP_RUNS] {
        return;
    }
    let run = step[STEP_RUNS + 1u] + index * RUN_WORDS;
    if id.x < step[run + 1u] {
        step[step[run] + id.x] = step[step[run + 2u] + id.x];
    }
}
