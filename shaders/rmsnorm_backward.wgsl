// The backward pass of rmsnorm, y = x·r·weight with r = 1 / sqrt(mean(x²) + EPS): dx += r·(dy·weight) − x·r³/K·Σ(dy·weight·x).
// A workgroup takes EACH rows, and sums dy·x·r over them into its row of parts, whose column sums are weight's gradient.
//! slot reduce: reduce_workgroup reduce_subgroup
//! const K: u32          floats of a row
//! const EACH: u32       rows of a workgroup
//! const ROWS: u32       rows
//! const EPS: f32        the norm's
//! const WORKGROUP: u32  invocations of a workgroup
//! const SUMS: u32       sums that are found at once
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> parts: array<vec4<f32>>;

const VECTORS: u32 = K / 4u;
const PER: u32 = (VECTORS + WORKGROUP - 1u) / WORKGROUP; // vectors of a row an invocation has

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    var part: array<vec4<f32>, PER>;
    for (var i = 0u; i < EACH; i++) {
        let row = wid.x * EACH + i;
        var sums = array<f32, SUMS>(0.0, 0.0); // of x², of dy·weight·x
        for (var j = 0u; j < PER; j++) {
            let column = j * WORKGROUP + lid;
            if column < VECTORS && row < ROWS {
                let v = x[row * VECTORS + column];
                sums[0] += dot(v, v);
                sums[1] += dot(v, dy[row * VECTORS + column] * weight[column]);
            }
        }
        lanes_sum(&sums, lid);
        let r = inverseSqrt(sums[0] / f32(K) + EPS);
        let pull = r * r * r / f32(K) * sums[1];
        for (var j = 0u; j < PER; j++) {
            let column = j * WORKGROUP + lid;
            if column < VECTORS && row < ROWS {
                let at = row * VECTORS + column;
                let v = x[at];
                let g = dy[at];
                dx[at] += r * (g * weight[column]) - v * pull;
                part[j] += g * v * r;
            }
        }
        workgroupBarrier(); // before the next row's sums overwrite these
    }
    for (var j = 0u; j < PER; j++) {
        let column = j * WORKGROUP + lid;
        if column < VECTORS {
            parts[wid.x * VECTORS + column] = part[j];
        }
    }
}
