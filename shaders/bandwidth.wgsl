// Reads a buffer once and keeps a sum for each invocation, so that no load can be left out: what memory can deliver.
//! const WORKGROUPS: u32  of the launch
//! const VECTORS: u32     vec4s that an invocation reads
@group(0) @binding(0) var<storage, read> data: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> sums: array<u32>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    var sum = vec4<u32>(0u);
    var at = id.x;
    for (var i = 0u; i < VECTORS; i++) {
        sum += data[at];
        at += WORKGROUPS * 256u;
    }
    sums[id.x] = sum.x + sum.y + sum.z + sum.w;
}
