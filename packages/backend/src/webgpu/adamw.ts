import { ADAM_MOMENT, ADAM_UPDATE } from "../operations/adamw.ts";
import { inputOf, registerShaders, runShader, type Shader } from "./shader.ts";

const MOMENT: Shader = {
  name: ADAM_MOMENT,
  inputs: ["moment", "gradient"],
  uniforms: { decay: "float32", rest: "float32", squared: "int32" },
  code: `
    fn value(index : i32) -> f32 {
      let g = gradient[index];
      return uniforms.decay * moment[index] + uniforms.rest * select(g, g * g, uniforms.squared == 1);
    }`,
};

const UPDATE: Shader = {
  name: ADAM_UPDATE,
  inputs: ["weight", "mean", "squares"],
  uniforms: { keep: "float32", rate: "float32", correction: "float32", epsilon: "float32" },
  code: `
    fn value(index : i32) -> f32 {
      let step = uniforms.rate * mean[index] / (sqrt(squares[index]) * uniforms.correction + uniforms.epsilon);
      return weight[index] * uniforms.keep - step;
    }`,
};

/** A step of AdamW in three passes over a variable. */
export function registerAdamW(): void {
  registerShaders(ADAM_MOMENT, (call) => {
    const moment = inputOf(call, "moment");
    const inputs = [moment, inputOf(call, "gradient")];
    return runShader(call.backend, MOMENT, inputs, moment.shape, call.attrs as Record<string, number>);
  });
  registerShaders(ADAM_UPDATE, (call) => {
    const inputs = UPDATE.inputs.map((name) => inputOf(call, name));
    return runShader(call.backend, UPDATE, inputs, inputOf(call, "weight").shape, call.attrs as Record<string, number>);
  });
}
