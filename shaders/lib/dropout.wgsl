// Dropout of attention's weights by a counter-based generator, so that the backward pass draws what the forward pass drew.
// engine/attention/dropout.go is its other half.
//! include: rng step
//! const DROP_BELOW: u32  a draw below it drops a weight; 0: no dropout
//! const KEEP_SCALE: f32  factor of the weights that are kept

// dropout_factors gives the factors of the weights of keys 4·quad to 4·quad+3 of a sequence's query and head.
fn dropout_factors(row: u32, head: u32, query: u32, quad: u32) -> vec4<f32> {
    if DROP_BELOW == 0u {
        return vec4<f32>(1.0);
    }
    let draw = philox(vec4<u32>(quad, query, head, row), vec2<u32>(step[STEP_SEED], step[STEP_SEED + 1u]));
    return select(vec4<f32>(KEEP_SCALE), vec4<f32>(0.0), draw < vec4<u32>(DROP_BELOW));
}

fn dropout_factor(row: u32, head: u32, query: u32, key: u32) -> f32 {
    return dropout_factors(row, head, query, key / 4u)[key % 4u];
}
