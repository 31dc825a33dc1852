package simulated

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"sync"

	"rsc.io/qr"
)

// Content is what a phone reads from the QR.
const Content = "SIMULATED – not a WhatsApp QR"

const (
	// pixels is the width of one dot of the QR.
	pixels = 8
	// margin is the quiet zone around it, in dots (ISO/IEC 18004 asks for four).
	margin = 4
)

// QRCode returns the picture that a simulated instance shows to be scanned, as a data URI: a real QR whose text says
// that it is not WhatsApp's, in red so that people see it too. Empty if it could not be drawn.
func QRCode() string { return drawn() }

// drawn draws the picture once.
var drawn = sync.OnceValue(func() string {
	code, err := qr.Encode(Content, qr.M)
	if err != nil {
		return ""
	}
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, draw(code)); err != nil {
		return ""
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(encoded.Bytes())
})

// draw paints the code in red on white.
func draw(code *qr.Code) image.Image {
	size := (code.Size + 2*margin) * pixels
	picture := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{color.White, color.RGBA{R: 0xC0, A: 0xFF}})
	for y := range size {
		for x := range size {
			if code.Black(x/pixels-margin, y/pixels-margin) {
				picture.SetColorIndex(x, y, 1)
			}
		}
	}
	return picture
}
