package pull

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestSpeedAndTimeLeft(t *testing.T) {
	m := newMeter("m", 1000, func(Event) {})
	m.stop()
	start := m.past[0].at
	m.had(200) // was there before, and says nothing of speed
	m.arrived(100)
	e := m.read(start.Add(time.Second))
	assert.Equal(t, Event{Stage: Loading, Name: "m", Done: 300, Total: 1000, Speed: 100, Left: 7 * time.Second}, e)
	for s := 2; s <= 20; s++ {
		m.arrived(10)
		e = m.read(start.Add(time.Duration(s) * time.Second))
	}
	assert.InDelta(t, 10, e.Speed, 0.01, "lately")
	assert.EqualValues(t, 490, e.Done)
}
