// The factors of LoRA adapters, a list of RANK a sequence: that of the adapter whose rank it is; 0 for one that does not run.
//! include: step
//! const RANK: u32  ranks of all adapters
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

// lora_factors is where row m's factors lie.
fn lora_factors(m: u32) -> u32 { return step[STEP_AT_LORA] + step_token_row(lora_token(m)) * RANK; }
