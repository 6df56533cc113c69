// Rows read four elements at a time, at any place.
//! const KEY: u32  elements of a key
@group(0) @binding(1) var<storage, read> x: array<f32>;

fn element(at: u32) -> f32 { return x[at]; }

// quad gives a key's elements 4·i to 4·i + 3, where the key lies at a place; 0 past its end.
fn quad(at: u32, i: u32) -> vec4<f32> {
    var v: vec4<f32>;
    for (var j = 0u; j < 4u; j++) {
        if i * 4u + j < KEY {
            v[j] = x[at + i * 4u + j];
        }
    }
    return v;
}
