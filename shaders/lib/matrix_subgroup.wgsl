// Fragments of 16 × 16 that a subgroup multiplies as one (Chromium's subgroup matrices): f16 factors, f32 results. A fragment
// is spread over the subgroup's lanes in a way that only the hardware knows, so what is done to its elements is done in
// workgroup memory. matrix_plain has the same functions without subgroups; tests run on that, so of this file alone a GPU
// with subgroup matrices is the test. All of a subgroup calls each function with the same arguments.
//! const SUBGROUPS: u32    subgroups of a workgroup
//! const ROW_LANES: u32    lanes that own different rows
//! const LANES_A_ROW: u32  lanes that share a row, 1 or 2
//! const WORKGROUP: u32    invocations of a workgroup
alias Half = f16;
alias Half4 = vec4<f16>;
alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Result = subgroup_matrix_result<f32, 16, 16>;

// half rounds what f16 holds, half4 clamps before; what is no number stays none.
fn half(x: f32) -> Half { return f16(x); }
fn half4(x: vec4<f32>) -> Half4 {
    let y = clamp(x, vec4<f32>(-65504.0), vec4<f32>(65504.0));
    return Half4(select(y, x, (bitcast<vec4<u32>>(x) & vec4<u32>(0x7F800000u)) == vec4<u32>(0x7F800000u)));
}
fn half4_bits(x: vec2<u32>) -> Half4 { return bitcast<vec4<f16>>(x); }

// row_max and row_sum are over the LANES_A_ROW lanes that share a row, ROW_LANES apart; any_lane is over the subgroup.
fn row_max(x: f32, lane: u32) -> f32 {
    if LANES_A_ROW == 1u {
        return x;
    }
    return max(x, subgroupShuffleXor(x, ROW_LANES));
}
fn row_sum(x: f32, lane: u32) -> f32 {
    if LANES_A_ROW == 1u {
        return x;
    }
    return x + subgroupShuffleXor(x, ROW_LANES);
}
fn any_lane(x: bool, lane: u32) -> bool { return subgroupAny(x); }

// Fragments want places that are the same for a subgroup, so its number comes from the builtin; its bound tells compilers
// which places it reaches.
@compute @workgroup_size(WORKGROUP, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_id) subgroup: u32, @builtin(local_invocation_index) lane: u32) {
    attend(group, min(subgroup, SUBGROUPS - 1u), lane);
}
