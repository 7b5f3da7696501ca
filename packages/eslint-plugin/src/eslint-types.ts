// What the rules need of eslint, typescript-eslint and TypeScript, whose own types differ by the version that is installed.

/** A node of ESTree. */
export interface Node {
  readonly type: string;
  readonly test?: Node | null;
  readonly operator?: string;
  readonly left?: Node;
  readonly argument?: Node;
  readonly callee?: Node;
  readonly name?: string;
  readonly arguments?: readonly Node[];
}

/** TypeScript's types. */
export interface Type {
  readonly aliasSymbol?: TypeSymbol;
  readonly types: readonly Type[];
  getSymbol(): TypeSymbol | undefined;
  isUnion(): boolean;
  isUnionOrIntersection(): boolean;
  isClassOrInterface(): boolean;
}
interface TypeSymbol {
  readonly name: string;
  readonly declarations?: readonly { getSourceFile(): { readonly fileName: string } }[];
}
export interface TypeChecker {
  getBaseTypes(type: Type): readonly Type[];
}

/** What typescript-eslint's parser gives where it knows types. */
export interface TypeServices {
  readonly program: { getTypeChecker(): TypeChecker };
  getTypeAtLocation(node: Node): Type;
}

export interface Context {
  readonly sourceCode: { readonly parserServices?: TypeServices };
  report(problem: { readonly node: Node; readonly messageId: string; readonly data: Record<string, string> }): void;
}

/** A rule as eslint takes it. */
export interface Rule {
  readonly meta: object;
  create(context: Context): Record<string, (node: Node) => void>;
}
