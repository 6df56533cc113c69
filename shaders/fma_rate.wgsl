// Multiplies and adds in registers only: what arithmetic can deliver. Sixteen sums an invocation leave no multiply-add
// waiting for another, and one factor and one summand for all leave no register read twice; these come from memory and sums
// go there, so that nothing can be known ahead or left out.
//! const ROUNDS: u32  turns of the loop
@group(0) @binding(0) var<storage, read> factors: array<f32, 2>;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let a = vec4<f32>(factors[0]);
    let b = vec4<f32>(factors[1]);
    var s = vec4<f32>(f32(id.x % 16u));
    var t = s + a;
    var u = s + b;
    var v = t + b;
    for (var i = 0u; i < ROUNDS; i++) {
        s = fma(s, a, b);
        t = fma(t, a, b);
        u = fma(u, a, b);
        v = fma(v, a, b);
        s = fma(s, a, b);
        t = fma(t, a, b);
        u = fma(u, a, b);
        v = fma(v, a, b);
        s = fma(s, a, b);
        t = fma(t, a, b);
        u = fma(u, a, b);
        v = fma(v, a, b);
        s = fma(s, a, b);
        t = fma(t, a, b);
        u = fma(u, a, b);
        v = fma(v, a, b);
    }
    let all = (s + t) + (u + v);
    sums[id.x] = (all.x + all.y) + (all.z + all.w);
}
