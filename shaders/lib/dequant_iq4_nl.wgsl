// Weights in IQ4_NL: codes of a table, and scales in f16.
//! include: table_values scales_half
const BLOCK_BYTES: u32 = 18u;
const HALVES: bool = false;

fn pack_codes(stored: ptr<function, Stored>, strip: u32, packed: ptr<function, Packed>) { pack_halves(stored, strip * BLOCK_BYTES + 2u, packed); }
