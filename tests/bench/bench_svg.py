# SPDX-License-Identifier: Apache-2.0
"""Line plots as SVG text: enough for the benchmark's report, readable in a
browser and in a diff."""
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 170, 40, 50
COLOURS = ("#1b6ca8", "#c0392b", "#5b8c2a", "#8e44ad", "#b9770e", "#444444",
           "#16a085", "#7f8c8d", "#d35400")


class Axis:
    """Maps values to pixels, linear or logarithmic to base 10."""

    def __init__(self, values, log, start, end):
        self.log, self.start, self.end = log, start, end
        low, high = min(values), max(values)
        if log:
            low = 10 ** math.floor(math.log10(low))
            high = 10 ** math.ceil(math.log10(high))
            high = max(high, low * 10)
        else:
            low = 0
            high = high or 1
        self.low, self.high = low, high

    def share(self, v):
        if self.log:
            return (math.log10(v / self.low)
                    / math.log10(self.high / self.low))
        return (v - self.low) / (self.high - self.low)

    def at(self, v):
        return self.start + self.share(v) * (self.end - self.start)

    def ticks(self):
        if self.log:
            decades = round(math.log10(self.high / self.low))
            return [self.low * 10 ** i for i in range(decades + 1)]
        step = 10 ** math.floor(math.log10(self.high))
        if self.high / step < 3:
            step /= 2
        return [i * step for i in range(int(self.high / step) + 1)]


def short(v):
    for limit, unit in ((1e6, "M"), (1e3, "k")):
        if v >= limit:
            return "%g%s" % (v / limit, unit)
    return "%g" % v


def text(x, y, words, more=""):
    return '<text x="%.0f" y="%.0f" %s>%s</text>' % (x, y, more,
                                                     escape(words))


def frame(title, x_name, y_name, x, y):
    out = [text(LEFT, 22, title, 'font-size="15" font-weight="bold"'),
           text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, x_name,
                'text-anchor="middle"'),
           text(14, HEIGHT / 2, y_name, 'text-anchor="middle" '
                'transform="rotate(-90 14 %d)"' % (HEIGHT / 2))]
    for v in x.ticks():
        out.append('<line x1="%.0f" x2="%.0f" y1="%d" y2="%d" stroke="#ddd"/>'
                   % (x.at(v), x.at(v), TOP, HEIGHT - BOTTOM))
        out.append(text(x.at(v), HEIGHT - BOTTOM + 18, short(v),
                        'text-anchor="middle"'))
    for v in y.ticks():
        out.append('<line x1="%d" x2="%d" y1="%.0f" y2="%.0f" stroke="#ddd"/>'
                   % (LEFT, WIDTH - RIGHT, y.at(v), y.at(v)))
        out.append(text(LEFT - 8, y.at(v) + 4, short(v), 'text-anchor="end"'))
    return out


def plot(title, x_name, y_name, series, log_x=True, log_y=True):
    """'series': {name: [(x, y)]}; the SVG's text."""
    points = [p for s in series.values() for p in s]
    x = Axis([p[0] for p in points], log_x, LEFT, WIDTH - RIGHT)
    y = Axis([p[1] for p in points], log_y, HEIGHT - BOTTOM, TOP)
    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" '
           'font-family="sans-serif" font-size="12">' % (WIDTH, HEIGHT),
           '<rect width="100%" height="100%" fill="white"/>']
    out += frame(title, x_name, y_name, x, y)
    for i, (name, s) in enumerate(series.items()):
        colour, label = COLOURS[i % len(COLOURS)], TOP + 14 + 18 * i
        where = " ".join("%.1f,%.1f" % (x.at(a), y.at(b))
                         for a, b in sorted(s))
        out.append('<polyline points="%s" fill="none" stroke="%s" '
                   'stroke-width="2"/>' % (where, colour))
        out += ['<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>'
                % (x.at(a), y.at(b), colour) for a, b in s]
        out.append('<line x1="%d" x2="%d" y1="%d" y2="%d" stroke="%s" '
                   'stroke-width="2"/>' % (WIDTH - RIGHT + 12,
                                           WIDTH - RIGHT + 32, label - 4,
                                           label - 4, colour))
        out.append(text(WIDTH - RIGHT + 38, label, name))
    return "\n".join(out + ["</svg>"]) + "\n"
