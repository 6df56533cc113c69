// Sums over groups of LANES neighbouring invocations (a power of two, at most the smallest subgroup), SUMS at once, by
// exchanging values inside a subgroup.

// lanes_sum replaces each of values by its sum over the invocation's group. All of the workgroup must call it.
fn lanes_sum(values: ptr<function, array<f32, SUMS>>, lid: u32) {
    for (var span = LANES / 2u; span > 0u; span = span / 2u) {
        for (var i = 0u; i < SUMS; i++) {
            (*values)[i] += subgroupShuffleXor((*values)[i], span);
        }
    }
}
