// Below this width the staff bar is one row, and everything else of it is in the panel "Conduct".
export const NARROW = 'width < 700px';
