// What becomes of a score between the dot product and the softmax: SOFTCAP, then ALiBi (arXiv 2108.12409, section 3) with
// the slopes of the step buffer.
//! include: step
//! const SOFTCAP: f32  bound of scores; 0: none
//! const ALIBI: bool   scores fall with distance

// capped bounds a score softly to ±SOFTCAP: tanh through exp of a value that is never positive.
fn capped(s: f32) -> f32 {
    if SOFTCAP == 0.0 {
        return s;
    }
    let e = exp(max(-2.0 * abs(s) / SOFTCAP, -80.0));
    return sign(s) * SOFTCAP * (1.0 - e) / (1.0 + e);
}

// capped_slope is the derivative of capped where it gave c.
fn capped_slope(c: f32) -> f32 {
    if SOFTCAP == 0.0 {
        return 1.0;
    }
    let t = c / SOFTCAP;
    return 1.0 - t * t;
}

fn alibi_slope(head: u32) -> f32 {
    if !ALIBI {
        return 0.0;
    }
    return bitcast<f32>(step[step[STEP_AT_SLOPES] + head]);
}

// alibi is what is added to a score for the distance of its key.
fn alibi(slope: f32, position: i32, key: i32) -> f32 {
    if !ALIBI {
        return 0.0;
    }
    return -slope * f32(abs(position - key));
}
