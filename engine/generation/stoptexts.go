package generation

import (
	"errors"

	"quire/engine/json"
)

// StopTexts are stop texts as JSON gives them: one text, or a list of texts.
type StopTexts []string

// UnmarshalJSON implements encoding/json's Unmarshaler.
func (s *StopTexts) UnmarshalJSON(data []byte) error { return s.FromJSON(data) }

// FromJSON reads them.
func (s *StopTexts) FromJSON(data []byte) error {
	var one *string
	if json.Unmarshal(data, &one) == nil {
		*s = nil
		if one != nil {
			*s = StopTexts{*one}
		}
		return nil
	}
	var list []string
	if json.Unmarshal(data, &list) != nil {
		return errors.New("stop must be a text or a list of texts")
	}
	*s = list
	return nil
}
