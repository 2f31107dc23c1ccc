// Countries to choose from, by their names.
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import * as api from "../../api/calls";
import { keys } from "../../api/queries";
import { countryName } from "../../lib/names";
import { Chips } from "../../ui/inputs";

type Props = {
  values: readonly string[];
  onValues: (codes: string[]) => void;
  hint?: ReactNode;
  wrong?: string | undefined;
};

export function CountryChips({ values, onValues, hint, wrong }: Props) {
  const words = useQuery({ queryKey: keys.vocabulary, queryFn: api.vocabulary, staleTime: 60_000 });
  const options = (words.data?.countries ?? [])
    .map((code) => ({ value: code, label: countryName(code) }))
    .sort((a, b) => a.label.localeCompare(b.label));
  return (
    <Chips
      label="Countries"
      max={249}
      maxLength={60}
      values={values}
      name={countryName}
      options={options}
      wrong={wrong}
      hint={hint}
      onValues={onValues}
    />
  );
}
