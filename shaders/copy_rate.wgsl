// Copies a buffer: what memory can deliver and take at once.
//! const WORKGROUPS: u32  of the launch
//! const VECTORS: u32     vec4s that an invocation copies
@group(0) @binding(0) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> copied: array<vec4<u32>>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    var x: array<vec4<u32>, VECTORS>;
    for (var i = 0u; i < VECTORS; i++) { x[i] = source[id.x + i * (WORKGROUPS * 256u)]; }
    for (var i = 0u; i < VECTORS; i++) { copied[id.x + i * (WORKGROUPS * 256u)] = x[i]; }
}
