// Weights as integer codes, with their scale and minimum.
//! include: weights
fn form_low(u: Unit, s: Scale) -> vec4<f32> { return integers(unit_codes(u).x) * (CODE_UNIT * s.scale.x) + s.least.x; }
fn form_high(u: Unit, s: Scale) -> vec4<f32> { return integers(unit_codes(u).y) * (CODE_UNIT * s.scale.y) + s.least.y; }

fn integers(codes: u32) -> vec4<f32> {
    let up = bitcast<vec4<i32>>(vec4<u32>(codes << 24u, codes << 16u, codes << 8u, codes));
    return vec4<f32>(up >> vec4<u32>(24u));
}
