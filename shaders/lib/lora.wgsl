// LoRA adapters (arXiv 2106.09685) of a step's rows: for each sequence a factor for each rank that there is room for, 0 where the rank is
// of no adapter of it.
//! include: step
//! const KIND: u32   what rows are of: 0 tokens, 1 outputs, 2 pooled rows
//! const RANKS: u32  fours of all adapters' ranks
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

// lora_factors gives those of four ranks for row m.
fn lora_factors(m: u32, four: u32) -> vec4<f32> {
    let at = step[STEP_AT_LORA] + (step_token_row(lora_token(m)) * RANKS + four) * 4u;
    return bitcast<vec4<f32>>(vec4<u32>(step[at], step[at + 1u], step[at + 2u], step[at + 3u]));
}
