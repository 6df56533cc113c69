// A token with a q, k or v that is no number gets a NaN into its row of the residual stream, and with it into its logits:
// attention would lose it in its maxima.
//! const SPOIL_BINDING: u32  binding of the residual stream
//! const SPOIL_STRIDE: u32   words from one token's row to the next
@group(0) @binding(SPOIL_BINDING) var<storage, read_write> residual: array<u32>;

fn spoil(t: u32) { residual[t * SPOIL_STRIDE] = 0x7FC00000u; }
