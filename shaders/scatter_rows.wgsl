// y[id] is, or grows by where ADD, the sum of the rows of dy whose id it is, the backward pass of gather_rows. The rows of an
// id are order[starts[id]] to order[starts[id + 1] - 1]; a workgroup adds those of one id, 32 vectors wide, in 8 interleaved
// runs and then the runs: always in the same order, without atomics.
//! const VECTORS: u32       vec4s of a row
//! const ADD: bool          y is added to
//! most ROWS_OF_AN_ID: u32  rows of dy with one id
@group(0) @binding(0) var<storage, read> starts: array<u32>;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;

var<workgroup> runs: array<vec4<f32>, 256>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let id = wid.y;
    let column = wid.x * 32u + lid % 32u;
    let inside = column < VECTORS;
    let end = starts[id + 1u];
    var sum = vec4<f32>();
    //! turns: ROWS_OF_AN_ID / 8u + 1u
    for (var i = starts[id] + lid / 32u; i < end; i += 8u) {
        if inside {
            sum += dy[order[i] * VECTORS + column];
        }
    }
    runs[lid] = sum;
    workgroupBarrier();
    if lid < 32u && inside {
        for (var run = 1u; run < 8u; run++) {
            sum += runs[run * 32u + lid];
        }
        let at = id * VECTORS + column;
        if ADD {
            y[at] += sum;
        } else {
            y[at] = sum;
        }
    }
}
