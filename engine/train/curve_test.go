//go:build !js

package train

// curveSteps is how long TestLossCurve trains, and curveFall how far the loss must fall, in nats.
const (
	curveSteps = 100
	curveFall  = 2
)
