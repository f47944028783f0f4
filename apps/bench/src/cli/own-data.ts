/** Puts `--label` into the settings, where a run's key and folder record it. What is no object is left for the schema to refuse. */
export function withLabel(config: unknown, label: string | undefined): unknown {
  if (label === undefined || typeof config !== "object" || config === null) return config;
  const data: unknown = "data" in config ? config.data : {};
  return { ...config, data: typeof data === "object" ? { ...data, label } : data };
}
