// LoRA adapters (arXiv 2106.09685) of a step's rows: for each token a list of the fours of ranks that its adapters have, of all that
// there is room for, with a factor for each rank, 0 where it is of none of them. Lists are as long as the longest.
//! include: step
//! const KIND: u32  what rows are of: 0 tokens, 1 outputs, 2 pooled rows
fn lora_token(m: u32) -> u32 {
    if KIND == 1u {
        return step[output_at(m)];
    }
    if KIND == 2u {
        return step[step[STEP_AT_POOLS] + m * POOL_WORDS];
    }
    return m;
}

// lora_entry is where the i-th four of row m stands.
fn lora_entry(m: u32, i: u32) -> u32 {
    return step[STEP_AT_LORA] + (lora_token(m) * step[STEP_LORA_FOURS] + i) * 5u;
}

// lora_four gives its number, from 1 on; 0 past the list's end.
fn lora_four(entry: u32) -> u32 { return step[entry]; }
fn lora_factor(entry: u32, rank: u32) -> f32 { return bitcast<f32>(step[entry + 1u + rank]); }
