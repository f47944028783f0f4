import { GELU_BACKWARD, GELU_FORWARD, type GeluForm } from "../operations/gelu.ts";
import { inputOf, registerShaders, runShader, type Shader } from "./shader.ts";

/** The distribution function Phi that the form wants, and its density. */
const CODE: Readonly<Record<GeluForm, string>> = {
  // erf by formula 7.1.26 of Abramowitz and Stegun, whose error is below 1.5e-7; TensorFlow.js has the same.
  erf: `
    fn cumulative(x : f32) -> f32 {
      let z = abs(x) * ${Math.SQRT1_2};
      let t = 1.0 / (1.0 + 0.3275911 * z);
      let p = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
      let tail = 0.5 * p * exp(-z * z);
      return select(tail, 1.0 - tail, x >= 0.0);
    }

    fn slope(x : f32) -> f32 { return ${1 / Math.sqrt(2 * Math.PI)} * exp(-0.5 * x * x); }`,
  tanh: `
    fn root(x : f32) -> f32 { return clamp(${Math.sqrt(2 / Math.PI)} * (x + 0.044715 * x * x * x), -20.0, 20.0); }

    fn cumulative(x : f32) -> f32 { return 0.5 * (1.0 + tanh(root(x))); }

    fn slope(x : f32) -> f32 {
      let t = tanh(root(x));
      return 0.5 * (1.0 - t * t) * ${Math.sqrt(2 / Math.PI)} * (1.0 + 0.134145 * x * x);
    }`,
};

function shaders(form: GeluForm): { readonly forward: Shader; readonly backward: Shader } {
  const value = "let v = x[index]; let p = cumulative(v);";
  return {
    forward: {
      name: `${GELU_FORWARD} ${form}`,
      inputs: ["x"],
      uniforms: {},
      code: `${CODE[form]} fn value(index : i32) -> f32 { ${value} return v * p; }`,
    },
    backward: {
      name: `${GELU_BACKWARD} ${form}`,
      inputs: ["x", "dy"],
      uniforms: {},
      code: `${CODE[form]} fn value(index : i32) -> f32 { ${value} return dy[index] * (p + v * slope(v)); }`,
    },
  };
}

const SHADERS = { erf: shaders("erf"), tanh: shaders("tanh") };

/** GELU in one pass, and its gradient in another. */
export function registerGelu(): void {
  const form = (attrs: object): GeluForm => (Reflect.get(attrs, "form") === "tanh" ? "tanh" : "erf");
  registerShaders(GELU_FORWARD, (call) => {
    const x = inputOf(call, "x");
    return runShader(call.backend, SHADERS[form(call.attrs)].forward, [x], x.shape, {});
  });
  registerShaders(GELU_BACKWARD, (call) => {
    const [x, dy] = [inputOf(call, "x"), inputOf(call, "dy")];
    return runShader(call.backend, SHADERS[form(call.attrs)].backward, [x, dy], x.shape, {});
  });
}
