// x[t] = row of token t of the embedding, times SCALE. This piece of the matrix holds the rows [FIRST, FIRST + N); other
// tokens are left to the other pieces. Ids past the vocabulary are clamped. With POSITIONS rows are those of the tokens' positions,
// and are added to x.
//! include: step weights
//! const FIRST: u32       first row of this piece of the matrix
//! const N: u32           rows of it
//! const VOCABULARY: u32  tokens
//! const SCALE: f32       factor of the embeddings
//! const POSITIONS: bool  row of the position, added
//! const STRIPS: u32      strips of 32 weights in a row
//! const X_STRIDE: u32    floats from one row of x to the next
@group(0) @binding(3) var<storage, read> lanes: array<u32>; // the last token of each lane
@group(0) @binding(4) var<storage, read_write> x: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let unit = id.x;
    let t = id.y;
    if unit >= STRIPS * 4u || t >= step[STEP_TOKENS] {
        return;
    }
    var token: u32;
    if POSITIONS {
        token = step_position(t);
    } else {
        token = step_token(t);
        if token == LANE_TOKEN {
            token = lanes[row_lane(step_token_row(t))];
        }
    }
    token = min(token, VOCABULARY - 1u);
    if token < FIRST || token >= FIRST + N {
        return;
    }
    let row = token - FIRST;
    let strip = unit / 4u;
    let u = unit_at(row, unit);
    let s = scale_at(row, strip);
    let at = t * (X_STRIDE / 4u) + strip * 8u + unit % 4u;
    if POSITIONS {
        x[at] += weights_low(u, s) * SCALE;
        x[at + 4u] += weights_high(u, s) * SCALE;
    } else {
        x[at] = weights_low(u, s) * SCALE;
        x[at + 4u] = weights_high(u, s) * SCALE;
    }
}
