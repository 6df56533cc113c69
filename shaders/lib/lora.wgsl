// LoRA adapters (arXiv 2106.09685) of a step's rows: for each sequence how many it has, and where three words lie for each of them:
// the first of its ranks among all that there is room for, how many they are, and its factor.
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

// lora_runs says whether the step has any.
fn lora_runs() -> bool { return step[STEP_AT_LORA] != 0u; }

// lora_row is where row m's number of adapters stands, and behind it where they lie.
fn lora_row(m: u32) -> u32 { return step[STEP_AT_LORA] + 2u * step_token_row(lora_token(m)); }
