package train

// In the tab's software GPU a step takes long.
const (
	curveSteps = 10
	curveFall  = 0.5
)
