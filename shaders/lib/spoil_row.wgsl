// A token with a q, k or v that is no number gets a NaN into its row of the residual stream, and with it into its logits:
// attention would lose it in its maxima. The header sets SPOIL_BINDING and SPOIL_STRIDE.
@group(0) @binding(SPOIL_BINDING) var<storage, read_write> residual: array<u32>;

fn spoil(t: u32) { residual[t * SPOIL_STRIDE] = 0x7FC00000u; }
