// Combines two attentions of the same queries over different keys by their log-sum-exps (cascade): each output weighted by
// exp(its log-sum-exp − that of all keys). One whose log-sum-exp is NONE saw nothing and counts for nothing. A workgroup
// owns a token.
//! include: step fold none
//! const HEADS: u32       query heads
//! const HEAD_DIM: u32    elements of a head
//! const OUT_STRIDE: u32  words from one token's output to the next

@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<storage, read_write> lse: array<f32>;
@group(0) @binding(3) var<storage, read> other_out: array<f32>;
@group(0) @binding(4) var<storage, read> other_lse: array<f32>;

const WORKGROUP: u32 = 64u;

// combined gives the log-sum-exp over the keys of both.
fn combined(a: f32, b: f32) -> f32 {
    if a <= NONE {
        return b;
    }
    if b <= NONE {
        return a;
    }
    return max(a, b) + log(1.0 + exp(-abs(a - b)));
}

fn share(part: f32, all: f32) -> f32 { return select(exp(min(part - all, 0.0)), 0.0, part <= NONE); }

@compute @workgroup_size(WORKGROUP, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let token = group.z * FOLD + group.x;
    if token >= step[STEP_TOKENS] {
        return;
    }
    for (var i = lane; i < HEADS * HEAD_DIM; i += WORKGROUP) {
        let a = lse[token * HEADS + i / HEAD_DIM];
        let b = other_lse[token * HEADS + i / HEAD_DIM];
        let all = combined(a, b);
        let at = token * OUT_STRIDE + i;
        out[at] = out[at] * share(a, all) + other_out[at] * share(b, all);
    }
    workgroupBarrier();
    storageBarrier();
    for (var head = lane; head < HEADS; head += WORKGROUP) {
        let at = token * HEADS + head;
        lse[at] = combined(lse[at], other_lse[at]);
    }
}
