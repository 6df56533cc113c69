// loss[row] = log Σ exp(logits[row]) − logits[row][target], and logits become their gradient by the mean of loss. A
// workgroup takes a row: one pass keeps each invocation's running maximum and the sum of exponentials below it, which are
// then merged in pairs; a second writes the gradient.
//! include: fold
//! const ROWS: u32        rows of logits
//! const STRIDE: u32      floats from one row of logits to the next
//! const VOCABULARY: u32  logits of a row
//! const WORKGROUP: u32   invocations of a workgroup
@group(0) @binding(0) var<storage, read> targets: array<u32>;
@group(0) @binding(1) var<storage, read_write> logits: array<f32>;
@group(0) @binding(2) var<storage, read_write> loss: array<f32>;

var<workgroup> merged: array<vec2<f32>, WORKGROUP>; // maximum, sum

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let row = wid.y * FOLD + wid.x;
    let start = min(row, ROWS - 1u) * STRIDE;
    var high = logits[start + min(lid, VOCABULARY - 1u)];
    var sum = 0.0;
    for (var i = lid; i < VOCABULARY; i += WORKGROUP) {
        let v = logits[start + i];
        let top = max(high, v);
        sum = sum * exp(high - top) + exp(v - top);
        high = top;
    }
    merged[lid] = vec2<f32>(high, sum);
    for (var span = WORKGROUP / 2u; span > 0u; span = span / 2u) {
        workgroupBarrier();
        if lid < span {
            let a = merged[lid];
            let b = merged[lid + span];
            let top = max(a.x, b.x);
            merged[lid] = vec2<f32>(top, a.y * exp(a.x - top) + b.y * exp(b.x - top));
        }
    }
    workgroupBarrier();
    if row >= ROWS {
        return;
    }
    let all = merged[0];
    let target_id = targets[row];
    for (var i = lid; i < VOCABULARY; i += WORKGROUP) {
        let v = logits[start + i];
        var p = exp(v - all.x) / all.y;
        if i == target_id {
            loss[row] = all.x - v + log(all.y);
            p -= 1.0;
        }
        logits[start + i] = p / f32(ROWS);
    }
}
