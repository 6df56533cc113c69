// Codes of four bits that stand for the floats of a table, a unit's eight in a word.
//! include: bytes pack
//! const STRIPS: u32  strips of 32 weights in a row
const HEAD: u32 = 16u;
const CODE_UNIT: f32 = 1.0;
const HAS_SCALE: bool = true;
const HAS_MIN: bool = false;
alias Unit = u32;
@group(0) @binding(1) var<storage, read> codes: array<Unit>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;

fn unit_at(row: u32, unit: u32) -> Unit { return codes[row * (STRIPS * 4u) + unit]; }
fn unit_low(u: Unit) -> vec4<f32> { return four_values(u); }
fn unit_high(u: Unit) -> vec4<f32> { return four_values(u >> 16u); }
fn unit_either(u: Unit, high: bool) -> vec4<f32> { return unit_low(select(u, u >> 16u, high)); }
fn four_values(u: u32) -> vec4<f32> {
    return bitcast<vec4<f32>>(vec4<u32>(table_at(u % 16u), table_at((u >> 4u) % 16u), table_at((u >> 8u) % 16u), table_at((u >> 12u) % 16u)));
}
fn unit_codes(u: Unit) -> vec2<u32> { return vec2<u32>(small_integers(unit_low(u)), small_integers(unit_high(u))); }

// table_entry makes a word of the table from all of its integers, as bytes of 128 more: nothing is read, for which a product would wait.
fn table_entry(i: u32) -> u32 {
    let odd = (i & 4u) != 0u;
    let bytes = select(select(0x3F2D1801u, 0x766A5D4Fu, odd), select(0xA6998D81u, 0xF1D9C5B5u, odd), i >= 8u);
    return bitcast<u32>(f32(i32((bytes >> (i % 4u * 8u)) & 0xFFu) - 128));
}

// pack_halves takes a strip of nibbles from a byte on; a byte holds weights i and i + 16.
fn pack_halves(stored: ptr<function, Stored>, at: u32, packed: ptr<function, Packed>) {
    for (var i = 0u; i < 4u; i++) {
        let w = word_at(stored, at + i * 4u);
        (*packed)[i] = spread(w) | (spread(w >> 4u) << 16u);
    }
}
