package talk

import (
	"fmt"

	"quire/engine/chat"
	"quire/engine/json"
)

// ReadTemplate reads variables of the chat template.
func ReadTemplate(text string) (*json.Object, error) {
	value, err := json.Parse([]byte(text))
	object, ok := value.(*json.Object)
	if err != nil || !ok {
		return nil, fmt.Errorf(`chat_template_kwargs must be an object in JSON, such as {"enable_thinking": false}, not %q`, text)
	}
	return object, nil
}

// TemplateOptions are what the chat template is given beside the messages; nil: nothing.
func TemplateOptions(variables *json.Object) chat.Options {
	o := chat.Options{}
	if variables != nil {
		o.Extra = make(map[string]any, len(variables.Names))
		for i, name := range variables.Names {
			o.Extra[name] = variables.Values[i]
		}
	}
	return o
}

func getTemplate(p *Params) string {
	if p.Template == nil {
		return none
	}
	text, err := json.Marshal(p.Template)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func setTemplate(p *Params, text string) (err error) {
	if text == none {
		p.Template = nil
		return nil
	}
	p.Template, err = ReadTemplate(text)
	return err
}
