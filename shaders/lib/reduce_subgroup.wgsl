// Sums over groups of LANES neighbouring invocations (a power of two, at most the smallest subgroup), SUMS at once, by
// exchanging values inside a subgroup.
//! const LANES: u32  invocations of a group
//! const SUMS: u32   sums that are found at once

// lanes_sum replaces each of values by its sum over the invocation's group. All of the workgroup must call it.
fn lanes_sum(values: ptr<function, array<f32, SUMS>>, lid: u32) {
    for (var level = 1u; level < 8u; level++) { // counted by one: see style_test.go
        let span = LANES >> level;
        if span > 0u {
            for (var i = 0u; i < SUMS; i++) {
                (*values)[i] += subgroupShuffleXor((*values)[i], span);
            }
        }
    }
}
