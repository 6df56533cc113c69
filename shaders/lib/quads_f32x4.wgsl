// Rows read four elements at a time, where keys and all that lies before them are multiples of four.
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;

fn element(at: u32) -> f32 { return x[at / 4u][at % 4u]; }

// quad gives a key's elements 4·i to 4·i + 3, where the key lies at a place.
fn quad(at: u32, i: u32) -> vec4<f32> { return x[at / 4u + i]; }
