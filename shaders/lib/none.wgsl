// What stands for "nothing": the score of a key out of sight, the maximum and log-sum-exp of a row that has seen nothing.
const NONE: f32 = -3.0e38; // attention.EmptyLSE
