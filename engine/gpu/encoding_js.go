package gpu

import "time"

// Encoding is how long JavaScript has encoded tapes: a part of Submit, whose rest is the way there and back.
func Encoding() time.Duration {
	h, err := theHost()
	if err != nil {
		return 0
	}
	return time.Duration(h.object.Get("encoded").Float() * float64(time.Millisecond))
}
