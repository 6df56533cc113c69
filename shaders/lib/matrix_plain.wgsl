// matrix_subgroup's functions for any adapter: halves are floats rounded to f16, and a subgroup is SUBGROUP neighbouring
// invocations, 16 or 32, each of which holds one row of a left fragment and its share of a row of a result. Slow; it shows on
// every adapter that kernels over these functions are right.
//! const SUBGROUP: u32     invocations that act as a subgroup, 16 or 32
//! const ROW_LANES: u32    lanes that own different rows
//! const LANES_A_ROW: u32  lanes that share a row, 1 or 2
//! const WORKGROUP: u32    invocations of a workgroup
alias Half = f32;
alias Half4 = vec4<f32>;
alias Left = array<f32, 16>;
alias Result = array<f32, RESULTS>;

const RESULTS: u32 = 256u / SUBGROUP;

// Bounds that no compiler knows keep loops from being unrolled into texts that take minutes to compile.
var<private> side: u32;
var<private> results: u32;
var<private> own_row: u32;
var<private> own_column: u32;
var<workgroup> exchange: array<f32, WORKGROUP>;

fn half(x: f32) -> Half { return unpack2x16float(pack2x16float(vec2<f32>(x, 0.0))).x; }
fn half4(x: vec4<f32>) -> Half4 {
    var y = clamp(x, vec4<f32>(-65504.0), vec4<f32>(65504.0));
    y = select(y, x, (bitcast<vec4<u32>>(x) & vec4<u32>(0x7F800000u)) == vec4<u32>(0x7F800000u));
    return Half4(half(y.x), half(y.y), half(y.z), half(y.w));
}
fn half4_bits(x: vec2<u32>) -> Half4 { return Half4(unpack2x16float(x.x), unpack2x16float(x.y)); }

// exchanged gives the value of the lane that shares this one's row. All of the workgroup must call it.
fn exchanged(x: f32, lane: u32) -> f32 {
    workgroupBarrier();
    exchange[lane] = x;
    workgroupBarrier();
    return exchange[lane ^ ROW_LANES];
}
fn row_max(x: f32, lane: u32) -> f32 {
    if LANES_A_ROW == 1u {
        return x;
    }
    return max(x, exchanged(x, lane));
}
fn row_sum(x: f32, lane: u32) -> f32 {
    if LANES_A_ROW == 1u {
        return x;
    }
    return x + exchanged(x, lane);
}
fn any_lane(x: bool, lane: u32) -> bool {
    workgroupBarrier();
    exchange[lane] = select(0.0, 1.0, x);
    workgroupBarrier();
    var any = false;
    for (var i = 0u; i < SUBGROUP; i++) { any = any || exchange[lane - lane % SUBGROUP + i] > 0.0; }
    return any;
}

@compute @workgroup_size(WORKGROUP, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    side = 16u + (group.x >> 31u);
    results = side * side / SUBGROUP;
    own_row = lane % SUBGROUP * RESULTS / 16u;
    own_column = lane * RESULTS % 16u;
    attend(group, lane / SUBGROUP, lane);
}
