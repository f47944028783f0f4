import { expect, it } from "vitest";
import { html, Markup } from "./markup.ts";

it("escapes values between tags and in attributes", () => {
  expect(html`<td title="${`"'<&>`}">${"<script>"}</td>`.text).toBe(
    '<td title="&quot;&#39;&lt;&amp;&gt;">&lt;script&gt;</td>',
  );
});

it("passes markup, joins lists and leaves out undefined and false", () => {
  expect(html`${[html`<b>${1}</b>`, new Markup("<i>")]}${undefined}${false}${0}`.text).toBe("<b>1</b><i>0");
});
