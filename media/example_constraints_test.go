package media_test

import (
	"fmt"

	"github.com/callrx/callrx/media"
)

func ExampleConstraints() {
	wide := media.Constraints{Width: media.Range{Ideal: 1280}, NoiseSuppression: media.On}
	narrow := wide.Clone()
	narrow.Width = media.Range{Min: 640, Max: 320}
	fmt.Println(wide.Validate())
	fmt.Println(narrow.Validate())
	// Output:
	// <nil>
	// config Width: its Min 640 is more than its Max 320
}
