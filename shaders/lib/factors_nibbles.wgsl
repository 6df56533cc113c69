// Factors in f16 that are nibbles less eight, exact, whose scale the sum of a unit's products is multiplied by: with x shrunk, no sum of eight
// leaves f16's range. At bit 0 of the mantissa of 1024 a nibble adds its value.
//! include: weights
//! slot pair: pair_bitcast pair_unpacked
struct Factors { low: vec4<f16>, high: vec4<f16> }
const SHRINK: f32 = 0.015625;
fn factors(u: Unit, s: Scale) -> Factors {
    let a = two_of((u & 0x000F000Fu) | 0x64006400u) - vec2<f16>(1032.0h);
    let b = two_of(((u >> 4u) & 0x000F000Fu) | 0x64006400u) - vec2<f16>(1032.0h);
    let c = two_of(((u >> 8u) & 0x000F000Fu) | 0x64006400u) - vec2<f16>(1032.0h);
    let d = two_of(((u >> 12u) & 0x000F000Fu) | 0x64006400u) - vec2<f16>(1032.0h);
    return Factors(vec4<f16>(a.x, b.x, c.x, d.x), vec4<f16>(a.y, b.y, c.y, d.y));
}
fn factors_sum(sum: vec4<f16>, s: Scale) -> vec4<f32> { return vec4<f32>(sum) * (s.scale.x * (1.0 / SHRINK)); }
