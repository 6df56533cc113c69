// Puts the words of a step that was written elsewhere where steps are read.
@group(0) @binding(0) var<storage, read> ahead: array<u32>;
@group(0) @binding(1) var<storage, read_write> step: array<u32>;

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    step[id.x] = ahead[id.x];
}
