/** Observable Plot in jsdom: options in, accessible SVG text out. Colours are CSS variables, so one figure serves both themes. */

import * as Plot from "@observablehq/plot";
import { JSDOM } from "jsdom";
import { Markup } from "./markup.ts";
import type { MethodStyle } from "./methods.ts";

const { document, XMLSerializer } = new JSDOM().window;

/** Draws one figure as SVG; `label` is what a screen reader says instead of it. */
export function drawChart(label: string, options: Plot.PlotOptions): SVGSVGElement {
  const drawn = Plot.plot({ ...options, document, className: "chart", figure: false } as Plot.PlotOptions);
  const svg = drawn as unknown as SVGSVGElement;
  // The page styles all charts at once.
  svg.querySelector("style")?.remove();
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  return svg;
}

/** The SVG as XML text with coordinates to a hundredth of a pixel: a third of the size, and the same on every machine. */
export function serialise(svg: Element): string {
  for (const element of svg.querySelectorAll("*")) {
    for (const name of ["d", "transform", "x", "y", "x1", "x2", "y1", "y2", "width", "height"]) {
      const value = element.getAttribute(name);
      if (value !== null) {
        element.setAttribute(
          name,
          value.replace(/-?\d+\.\d{3,}(e-?\d+)?/g, (number) => String(Number(Number(number).toFixed(2)))),
        );
      }
    }
  }
  return new XMLSerializer().serializeToString(svg);
}

export function chart(label: string, options: Plot.PlotOptions): Markup {
  return new Markup(serialise(drawChart(label, options)));
}

/** A method's marker as a small decorative SVG, for legends and tables. */
export function marker(style: MethodStyle): Markup {
  const svg = drawChart("", {
    width: 20,
    height: 12,
    margin: 0,
    axis: null,
    x: { domain: [0, 1] },
    y: { domain: [0, 1] },
    marks: [
      Plot.ruleY([0.5], {
        stroke: style.color,
        strokeWidth: style.ours ? 1.6 : 1.1,
        ...(style.dashed ? { strokeDasharray: "5 3" } : {}),
      }),
      style.dashed ? undefined : Plot.dot([[0.5, 0.5]], dotStyle(style)),
    ],
  });
  svg.setAttribute("aria-hidden", "true");
  svg.removeAttribute("role");
  svg.removeAttribute("aria-label");
  return new Markup(serialise(svg));
}

/** Filled for ours, hollow for comparators. */
export function dotStyle(style: MethodStyle): Plot.DotOptions {
  return {
    symbol: style.symbol,
    r: style.ours ? 4 : 3.2,
    stroke: style.color,
    strokeWidth: 1.4,
    fill: style.ours ? style.color : "var(--paper)",
  };
}
