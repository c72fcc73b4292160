package report

import (
	"image/color"
	"path/filepath"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/solafon/solafon-go/bench/measure"
)

// The plots' files.
const (
	decodePlot     = "performance-decode.svg"
	generationPlot = "performance-generate.svg"
)

// palette can be told apart by people who do not see all colours, and on paper.
var palette = []color.Color{
	color.RGBA{0, 114, 178, 255}, color.RGBA{230, 159, 0, 255}, color.RGBA{0, 158, 115, 255},
	color.RGBA{204, 121, 167, 255}, color.RGBA{86, 180, 233, 255}, color.RGBA{213, 94, 0, 255},
}

// Plot draws the plots into a folder.
func (r *Report) Plot(folder string) error {
	if err := r.plotDecode(filepath.Join(folder, decodePlot)); err != nil {
		return err
	}
	return r.plotGeneration(filepath.Join(folder, generationPlot))
}

// plotDecode draws how many times as long each decoder takes for an update, in
// each order.
func (r *Report) plotDecode(file string) error {
	p := plot.New()
	p.Title.Text = "Decoding an update of 178 bytes (in place = 1, less is better)"
	p.Y.Label.Text = "times as long as in place"
	p.Y.Min = 0
	p.Legend.Top, p.Legend.Left = true, true
	orders := forms[:2]
	all := slices.Clone(result(r.Decode, orders[0]).Costs)
	slices.SortFunc(all, func(a, b measure.Cost) int {
		if a.Ratio < b.Ratio {
			return -1
		}
		return 1
	})
	var names []string
	for _, c := range all {
		names = append(names, c.Name)
	}
	width := vg.Points(22)
	for i, order := range orders {
		var values plotter.Values
		for _, name := range names {
			values = append(values, ratio(result(r.Decode, order), name))
		}
		bars, err := plotter.NewBarChart(values, width)
		if err != nil {
			return err
		}
		bars.Color, bars.LineStyle.Width = palette[i], 0
		bars.Offset = width * vg.Length(2*i-1) / 2
		p.Add(bars)
		p.Legend.Add(order, bars)
		var labels plotter.XYLabels
		for j, v := range values {
			labels.XYs = append(labels.XYs, plotter.XY{X: float64(j) - 0.32 + 0.36*float64(i), Y: v})
			labels.Labels = append(labels.Labels, Floor{}.format(v))
		}
		text, err := plotter.NewLabels(labels)
		if err != nil {
			return err
		}
		text.Offset.Y = vg.Points(3)
		p.Add(text)
	}
	p.NominalX(names...)
	return p.Save(vg.Points(900), vg.Points(380), file)
}

// plotGeneration draws the time of generating over the number of operations.
func (r *Report) plotGeneration(file string) error {
	p := plot.New()
	p.Title.Text = "Generating, in one process"
	p.X.Label.Text, p.Y.Label.Text = "operations in the document", "seconds"
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.LogTicks{}, plot.LogTicks{}
	p.Legend.Top, p.Legend.Left = true, true
	p.Add(plotter.NewGrid())
	for i, c := range r.Generation[0].Here {
		var points plotter.XYs
		for _, g := range r.Generation {
			points = append(points, plotter.XY{X: float64(g.Operations), Y: g.Here[i].Time.Seconds()})
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return err
		}
		line.Color, dots.Color, line.Width = palette[i], palette[i], vg.Points(2)
		p.Add(line, dots)
		p.Legend.Add(c.Name, line, dots)
	}
	return p.Save(vg.Points(700), vg.Points(400), file)
}
