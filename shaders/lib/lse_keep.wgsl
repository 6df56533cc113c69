// Attention that keeps each row's log-sum-exp, [token][head]; NONE for a row that has seen nothing.
//! include: none
//! const LSE_BINDING: u32  binding of the log-sum-exps
@group(0) @binding(LSE_BINDING) var<storage, read_write> lse: array<f32>;

fn keep_lse(at: u32, maximum: f32, sum: f32) {
    lse[at] = select(NONE, maximum + log(max(sum, 1.0e-30)), sum > 0.0);
}
