// Walks a row's tokens with the state of a head, a matrix S [VALUE][KEY] that decays, has u ⊗ k added and answers S·q, as a
// rule has it. The rows of S have nothing to do with one another: LANES invocations own one, and no other touches it.
//! include: step fold decay
//! slot rule: rule_delta rule_mamba
//! slot quads: quads_f32 quads_f32x4
//! slot span: span_whole span_parts
//! const HEADS: u32        heads of values, each with a state
//! const KEY_HEADS: u32    heads of keys and queries, which as many heads share
//! const TILED: bool       head h has the keys of h % KEY_HEADS; otherwise neighbours share them
//! const KEY: u32          elements of a key
//! const VALUE: u32        elements of a value
//! const X_STRIDE: u32     floats from one token's q, k and v to the next
//! const Q_AT: u32         the queries' place in them
//! const K_AT: u32         the keys'
//! const V_AT: u32         the values'
//! const GATE_STRIDE: u32  floats from one token's gates to the next
//! const GATE_RUN: u32     heads whose gates lie together
//! const GATE_STEP: u32    floats from one run to the next
//! const STEP_AT: u32      Δ's place in a run
//! const Y_STRIDE: u32     floats from one token's answers to the next
//! const STATE_AT: u32     the states' place in a slot
//! const SLOT_WORDS: u32   words of a slot
//! const LANES: u32        invocations that share a row of S
//! const WORKGROUP: u32    invocations of a workgroup
//! const TOKENS: u32       tokens of a row that a launch walks
//! const CHUNKED: u32      tokens from which a row is left to recurrence_chunks
//! const KEEPS: bool       states are kept behind tokens that the step names
@group(0) @binding(4) var<storage, read_write> state: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

const QUADS: u32 = (KEY + 3u) / 4u;
const EACH: u32 = (QUADS + LANES - 1u) / LANES;
const OWNED: u32 = WORKGROUP / LANES; // rows of S of a workgroup
const PARTS: u32 = (VALUE + OWNED - 1u) / OWNED;

// leave writes what an invocation has of a state to a slot.
fn leave(s: ptr<function, array<vec4<f32>, EACH>>, slot: u32, at: u32, lane: u32) {
    for (var i = 0u; i < EACH; i++) {
        if i * LANES + lane < QUADS {
            state[slot * (SLOT_WORDS / 4u) + at + i * LANES] = (*s)[i];
        }
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let unit = wid.y * FOLD + wid.x;
    let head = unit / PARTS % HEADS;
    let row = unit / (PARTS * HEADS);
    if row >= step[STEP_ROWS] {
        return;
    }
    let count = row_count(row);
    let begin = span_number() * TOKENS;
    if begin >= count || count >= CHUNKED {
        return;
    }
    let end = min(count, begin + TOKENS);
    let place = unit % PARTS * OWNED + lid / LANES;
    let owns = place < VALUE;
    let column = min(place, VALUE - 1u);
    let lane = lid % LANES;
    let key_head = select(head / (HEADS / KEY_HEADS), head % KEY_HEADS, TILED);
    let run = head / GATE_RUN * GATE_STEP + head % GATE_RUN;
    let first = row_first(row);

    let at = STATE_AT / 4u + (head * VALUE + column) * QUADS + lane;
    var s: array<vec4<f32>, EACH>;
    var known = row_state_from(row);
    let to = row_state_to(row);
    if begin > 0u {
        known = to;
    }
    for (var i = 0u; i < EACH; i++) {
        if i * LANES + lane < QUADS {
            s[i] = state[known * (SLOT_WORDS / 4u) + at + i * LANES];
        }
    }
    //! turns: TOKENS
    for (var t = begin; t < end; t++) {
        let token = first + t;
        let q_at = token * X_STRIDE + Q_AT + key_head * KEY;
        let k_at = token * X_STRIDE + K_AT + key_head * KEY;
        let v = element(token * X_STRIDE + V_AT + head * VALUE + column);
        let gate = token * GATE_STRIDE + run;
        let dt = softplus(gates[gate + STEP_AT] + heads[HEADS + head]);
        let decay = exp_close(heads[head] * dt);
        let answer = advance(&s, q_at, k_at, v, decay, dt, gate, head, lane, lid);
        if owns && lane == 0u {
            y[token * Y_STRIDE + head * VALUE + column] = answer;
        }
        if KEEPS && owns && step[STEP_AT_KEEPS] != 0u {
            let kept = step[step[STEP_AT_KEEPS] + token];
            if kept != 0u {
                leave(&s, kept, at, lane);
            }
        }
    }
    if owns && to != 0u {
        leave(&s, to, at, lane);
    }
}
