// Fills a buffer with numbers from -1 to 1 that look random: one f32 a word, or two f16.
//! include: fold
//! const HALF: bool  two f16 a word
@group(0) @binding(0) var<storage, read_write> data: array<vec4<u32>>;

// mixed is a hash of 32 bits (M. O'Neill's PCG, output function of a single step).
fn mixed(x: vec4<u32>) -> vec4<u32> {
    let state = x * 747796405u + 2891336453u;
    let word = ((state >> ((state >> vec4<u32>(28u)) + 4u)) ^ state) * 277803737u;
    return (word >> vec4<u32>(22u)) ^ word;
}

fn number(bits: vec4<u32>) -> vec4<f32> { return vec4<f32>(bits & vec4<u32>(0xFFFFu)) / 32767.5 - 1.0; }

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = (wid.y * FOLD + wid.x) * 256u + lid;
    if i >= arrayLength(&data) {
        return;
    }
    let bits = mixed(vec4<u32>(4u * i) + vec4<u32>(0u, 1u, 2u, 3u));
    let low = number(bits);
    if HALF {
        let high = number(bits >> vec4<u32>(16u));
        data[i] = vec4<u32>(pack2x16float(vec2<f32>(low.x, high.x)), pack2x16float(vec2<f32>(low.y, high.y)),
            pack2x16float(vec2<f32>(low.z, high.z)), pack2x16float(vec2<f32>(low.w, high.w)));
    } else {
        data[i] = bitcast<vec4<u32>>(low);
    }
}
