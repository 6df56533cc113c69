// A causal convolution of each channel by itself: y[t] = activate(bias + Σ weight[j]·x[t − TAPS + 1 + j]). With GATED a row of x
// holds B, C and x one after the other: B ⊙ x goes in, and C ⊙ what comes out is y. What went in before a row's first token is in
// the row's state, [TAPS − 1][CHANNELS], oldest first. The invocation of a row's first token computes
// all tokens that see the state, and writes it.
//! include: step
//! slot activation: activation_silu activation_none
//! const CHANNELS: u32     channels of a token
//! const TAPS: u32         tokens that an output sees
//! const BIAS: bool        bias is added
//! const GATED: bool       gates come with x
//! const X_AT: u32         the first channel's place in a row of x
//! const X_STRIDE: u32     floats from one row of x to the next
//! const Y_STRIDE: u32     floats from one row of y to the next
//! const STATE_AT: u32     the state's place in a slot
//! const SLOT_WORDS: u32   words of a slot
//! const KEEPS: bool       states are kept behind tokens that the step names
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>; // [CHANNELS][TAPS], oldest first
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> state: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

const BEFORE: u32 = TAPS - 1u;

fn input(token: u32, channel: u32) -> f32 {
    let at = token * X_STRIDE + X_AT + channel;
    if GATED {
        return x[at] * x[at + 2u * CHANNELS];
    }
    return x[at];
}

// leave writes the state behind so many of a row's tokens to a slot.
fn leave(past: ptr<function, array<f32, TAPS>>, slot: u32, first: u32, count: u32, channel: u32) {
    let to = slot * SLOT_WORDS + STATE_AT + channel;
    for (var j = 0u; j < BEFORE; j++) {
        let seen = count + j;
        var value = (*past)[min(seen, BEFORE)];
        if seen >= BEFORE {
            value = input(first + seen - BEFORE, channel);
        }
        state[to + j * CHANNELS] = value;
    }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let channel = id.x;
    let token = id.y;
    if channel >= CHANNELS || token >= step[STEP_TOKENS] {
        return;
    }
    let row = step_token_row(token);
    let first = row_first(row);
    let count = row_count(row);
    let begin = token - first; // in the row
    if begin > 0u && begin < BEFORE {
        return;
    }
    var end = begin + 1u;
    var past: array<f32, TAPS>;
    if begin == 0u {
        end = min(count, max(BEFORE, 1u));
        let known = row_state_from(row);
        if known != 0u {
            for (var j = 0u; j < BEFORE; j++) {
                past[j] = state[known * SLOT_WORDS + STATE_AT + j * CHANNELS + channel];
            }
        }
    }
    //! turns: TAPS
    for (var at = begin; at < end; at++) {
        var sum = 0.0;
        if BIAS {
            sum = bias[channel];
        }
        for (var j = 0u; j < TAPS; j++) {
            let seen = at + j; // counted from BEFORE tokens before the row
            var value = past[min(seen, BEFORE)];
            if seen >= BEFORE {
                value = input(first + seen - BEFORE, channel);
            }
            sum += value * weight[channel * TAPS + j];
        }
        var out = activate(sum);
        if GATED {
            out *= x[(first + at) * X_STRIDE + X_AT + CHANNELS + channel];
        }
        y[(first + at) * Y_STRIDE + channel] = out;
        if KEEPS && step[STEP_AT_KEEPS] != 0u {
            let kept = step[step[STEP_AT_KEEPS] + first + at];
            if kept != 0u {
                leave(&past, kept, first, at + 1u, channel);
            }
        }
    }
    if begin == 0u && row_state_to(row) != 0u {
        leave(&past, row_state_to(row), first, count, channel);
    }
}
