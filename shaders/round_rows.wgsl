// Rows of x rounded to 8 bits a strip of 32: x = scale · code; a scale of NaN stands for a strip with what is no number. An invocation
// a strip; out holds the codes, four a word, [row][STRIPS·8], then for each strip its scale and what its rounded x add up to,
// [row][STRIPS](scale, sum).
//! include: step fold
//! const M_WORD: u32    the step's word with the number of rows
//! const ROOM: u32      rows that there is room for
//! const STRIPS: u32    strips of a row
//! const X_STRIDE: u32  floats from one row of x to the next
//! const GATHER: bool   row m of x is the token of output m
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let n = (wid.y * FOLD + wid.x) * 64u + lid;
    let m = n / STRIPS;
    let strip = n % STRIPS;
    if m >= min(step[M_WORD], ROOM) {
        return;
    }
    var row = m;
    if GATHER {
        row = step[output_at(m)];
    }
    let at = row * (X_STRIDE / 4u) + strip * 8u;
    var bits = 0u; // of the largest number: without their signs they are in order, and what is no number is above all others
    for (var i = 0u; i < 8u; i++) {
        let v = bitcast<vec4<u32>>(x[at + i]) & vec4<u32>(0x7FFFFFFFu);
        bits = max(bits, max(max(v.x, v.y), max(v.z, v.w)));
    }
    let lost = bits >= 0x7F800000u;
    let top = bitcast<f32>(select(bits, 0u, lost));
    let scale = top / 127.0;
    let inverse = select(0.0, 127.0 / top, top > 0.0);
    var sum = 0;
    for (var i = 0u; i < 8u; i++) {
        let c = vec4<i32>(round(x[at + i] * inverse));
        sum += c.x + c.y + c.z + c.w;
        let b = bitcast<vec4<u32>>(c) & vec4<u32>(255u);
        out[(m * STRIPS + strip) * 8u + i] = b.x | (b.y << 8u) | (b.z << 16u) | (b.w << 24u);
    }
    let to = (ROOM * STRIPS * 4u + m * STRIPS + strip) * 2u;
    out[to] = select(bitcast<u32>(scale), 0x7FC00000u, lost);
    out[to + 1u] = select(bitcast<u32>(f32(sum) * scale), 0x7FC00000u, lost);
}
