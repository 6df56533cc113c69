// One step of AdamW (arXiv 1711.05101, algorithm 2) on all parameters. The gradient is first scaled to a norm of at most
// clip, from the sum of its squares.
//! include: fold
//! const VECTORS: u32  vec4s of parameters
//! const DECAYED: u32  those that decay, from the first on
struct Settings {
    rate: f32,
    beta1: f32,
    beta2: f32,
    rest1: f32,    // 1 − beta1
    rest2: f32,
    eps: f32,
    decay: f32,
    clip: f32,     // 0: none
    correct1: f32, // 1 / (1 − beta1^step)
    correct2: f32,
}
@group(0) @binding(0) var<uniform> settings: Settings;
@group(0) @binding(1) var<storage, read> squares: array<f32>;
@group(0) @binding(2) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> first: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> second: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> parameters: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = (wid.y * FOLD + wid.x) * 64u + lid;
    if i >= VECTORS {
        return;
    }
    let norm = sqrt(squares[0]);
    var g = gradients[i];
    if settings.clip > 0.0 && norm > settings.clip {
        g *= settings.clip / norm;
    }
    let m = settings.beta1 * first[i] + settings.rest1 * g;
    let v = settings.beta2 * second[i] + settings.rest2 * g * g;
    first[i] = m;
    second[i] = v;
    let along = m * settings.correct1 / (sqrt(v * settings.correct2) + settings.eps);
    let p = parameters[i];
    parameters[i] = p - settings.rate * (along + select(0.0, settings.decay, i < DECAYED) * p);
}
