// Weights in IQ4_NL: codes of a table, and scales in f16.
//! include: table_values scales_half
const BLOCK_BYTES: u32 = 18u;
const HALVES: bool = false;

fn table_entry(four: u32, one: u32) -> u32 { return entry_of(vec4<u32>(0x3F2D1801u, 0x766A5D4Fu, 0xA6998D81u, 0xF1D9C5B5u), four, one); }

fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) { pack_halves(stored, strip * BLOCK_BYTES + 2u, packed); }
