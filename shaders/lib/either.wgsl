// A unit's low or high weights, where that is no less work than finding them apart.
fn unit_either(u: Unit, high: bool) -> vec4<f32> {
    if high {
        return unit_high(u);
    }
    return unit_low(u);
}
