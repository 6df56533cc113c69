// Products with codes, as products with weights.
//! include: weights

// scaled gives what units' products with codes are as products with weights; total is x's.
fn scaled(product: vec2<f32>, s: Scale, total: vec2<f32>) -> f32 {
    if HALVES && HAS_MIN {
        return dot(product, s.scale) + dot(s.least, total);
    }
    if HALVES {
        return dot(product, s.scale);
    }
    if HAS_MIN {
        return (product.x + product.y) * s.scale.x + s.least.x * total.x;
    }
    if HAS_SCALE {
        return (product.x + product.y) * s.scale.x;
    }
    return product.x + product.y;
}
